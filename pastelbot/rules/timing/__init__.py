"""Rules of time: how long pictures take, on which device, and whose turn it is."""
