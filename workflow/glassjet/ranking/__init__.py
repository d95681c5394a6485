"""From attributions to ranked features, and reduced models."""
