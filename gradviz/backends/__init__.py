"""Drawing: a description becomes a plotly or a matplotlib figure."""
