"""Between latents and pictures: VAE cache, hires fix, img2img, upscalers, previews, PNG."""
