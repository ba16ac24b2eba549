"""What keeps Discord messages true: delivery, review messages, gallery posts, deletions."""
