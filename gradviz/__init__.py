"""gradviz makes the gradient dynamics of recurrent networks visible."""
