"""Jobs: the queue, the dispatcher, and the executors that paint them in worker processes."""
