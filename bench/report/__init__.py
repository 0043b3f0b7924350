def write_report(document, path):
    pass
