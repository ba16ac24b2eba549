"""The tensors that a Stable Diffusion 1.x checkpoint consists of, by their original names."""
