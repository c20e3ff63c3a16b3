"""What the words mean: fields, mappings, the error dictionary and the write rules. Pure, no input or output."""
