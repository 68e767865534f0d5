"""Migrations of the ledger, each one step and never edited once released."""
