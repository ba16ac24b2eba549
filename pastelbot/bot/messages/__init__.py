"""Messages that follow the state of jobs: delivery, review messages, gallery posts, deletions."""
