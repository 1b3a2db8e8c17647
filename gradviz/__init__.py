"""gradviz makes the gradient dynamics of recurrent networks visible."""

__version__ = "0.1.0"
