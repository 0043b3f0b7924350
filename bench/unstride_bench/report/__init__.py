"""The report: one HTML file, with everything in it, and tables in Markdown, from the JSON of the benchmark."""
