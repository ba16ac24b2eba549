"""The workshop: merge, extract, convert and inspect Stable Diffusion 1.x files, tensor by tensor."""
