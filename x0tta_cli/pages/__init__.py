"""What every HTML page is made with: its colours, figures as SVG, and templates that escape."""
