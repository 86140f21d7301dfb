"""The rules of the clinical service: values and decisions, free of rows and messages."""
