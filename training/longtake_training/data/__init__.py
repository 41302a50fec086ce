"""Training and evaluation data: real Memory Maze frames along our own walks.

`walk` and `camera` are plain geometry, `maze` and `render` need the `maze` extra (MuJoCo and Memory Maze),
`folders` and `shards` are the two file formats, `render_folders` and `render_shards` the two commands.
"""
