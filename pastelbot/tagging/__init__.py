"""What a picture shows, as danbooru tags, and how adult it is: a WD14 tagger on ONNX Runtime."""
