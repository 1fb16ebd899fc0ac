"""How a file becomes the platform's rows: recognising columns, reading values, finding every problem at once.

Pure: `resources/imports` opens the files and writes what this package read.
"""
