"""Libraries that ship with the package; ``docs/ql.md`` says where they come from and how they were made."""
