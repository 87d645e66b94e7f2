"""The Telegram bot that tells customers what to pay, and whether it has arrived."""
