"""From prompts to encoded text: chunks, emphasis, prompt schedules, textual inversion."""
