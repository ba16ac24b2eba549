"""What the page asks for besides its form: jobs, pictures, the gallery, signing in."""
