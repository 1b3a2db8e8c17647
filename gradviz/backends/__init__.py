"""Drawing: a description becomes a plotly or a matplotlib figure.

`_layout.plan` says where everything stands, in pixels; `_strokes` and `_special` what becomes of zero, infinity and NaN; the two
libraries draw that plan with one function a mark, named alike. A new mark: the class in `charts/_description.py`, its extent in
`_scales._extent`, what words should not cover of it in `_strokes.labels`, a function in `plotly/_marks.py` and one in
`matplotlib/_marks.py`, an example in `tests/pictures.py`.
"""
