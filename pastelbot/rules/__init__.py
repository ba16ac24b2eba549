"""Pure rules: limits, content filter, cost, grids, durations and the table of samplers."""
