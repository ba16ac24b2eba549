"""LoRAs: reading their files, finding the layers that they change, and changing these."""
