"""From a queued job to its pictures: who is next, who paints, and what becomes of it."""
