from core.personal import impersonal, register

register("messaging.Message", "last_error", erasure="blank", why="A server's answer may quote the address.")
impersonal("messaging.Message", "kind", "subject_id", "channel", "dedup_key", "state", "provider_id")
