"""Sign-in at identity providers: OpenID Connect's code flow, with PKCE, state and nonce."""
