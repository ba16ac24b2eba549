"""From options to queued jobs: building, submission, presets, preferences, history."""
