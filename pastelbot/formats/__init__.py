"""Knowledge of files without torch: safetensors headers, kinds of files, pictures, contact sheets, the hub."""
