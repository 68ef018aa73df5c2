"""Head office's editor: a survey is drafted, looked at, checked, translated and published without a developer."""
