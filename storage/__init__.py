"""The database: engine, column types, migrations. Imports nothing of ours."""
