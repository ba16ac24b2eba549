"""The queue, pure: scheduler, wait queue, positions, throughput."""
