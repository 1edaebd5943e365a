"""What all other rooms rest on: settings, profiles, folders, the environment, errors."""
