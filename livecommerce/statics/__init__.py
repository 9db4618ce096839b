"""Style sheets and scripts on their way to a phone: small, few, and kept while they hold."""
