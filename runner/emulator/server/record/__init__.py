"""The record of requests: what was asked, without the secrets, and how it was answered."""
