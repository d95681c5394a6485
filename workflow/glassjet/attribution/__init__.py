"""What a tagger's output is owed to: relevance (lrp), SHAP, masking."""
