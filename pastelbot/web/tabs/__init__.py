"""The tabs of the page, made of Gradio's components."""
