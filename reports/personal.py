from core.personal import impersonal

impersonal("reports.StoreDay", "headline_kind", "channel", "sample_kind", "topics", "score_counts")
