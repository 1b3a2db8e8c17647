"""The dashboard: a Streamlit app over recorded runs."""
