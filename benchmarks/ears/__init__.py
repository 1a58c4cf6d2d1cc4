"""What the default model is worth to a producer: neighbours, categories and words on sounds it was not trained on."""
