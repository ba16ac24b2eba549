"""Make the bundled checkpoint: data, text encoder, VAE, UNet, export and its figures. Not part of the bot."""
