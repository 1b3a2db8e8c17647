"""The dashboard: a Streamlit app over recorded runs. `launch` starts it."""
