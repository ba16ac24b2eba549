"""The networks of Stable Diffusion 1.x, built from configurations and tensors."""
