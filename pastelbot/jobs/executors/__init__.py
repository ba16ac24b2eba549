"""What paints for the dispatcher: a process, several of them, or one that is ended while there is nothing to do."""
