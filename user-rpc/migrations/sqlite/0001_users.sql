CREATE TABLE users (
    id            VARCHAR(36)  NOT NULL PRIMARY KEY,
    email         VARCHAR(254) NOT NULL UNIQUE,
    name          VARCHAR(100) NOT NULL,
    role          VARCHAR(20)  NOT NULL,
    password_hash VARCHAR(200) NOT NULL,
    created_at    BIGINT       NOT NULL
);

-- A token's family is a login: its tokens replace each other, and are revoked together.
CREATE TABLE refresh_tokens (
    hash       VARCHAR(64) NOT NULL PRIMARY KEY,
    family     VARCHAR(36) NOT NULL,
    user_id    VARCHAR(36) NOT NULL REFERENCES users (id),
    expires_at BIGINT      NOT NULL,
    rotated_at BIGINT      NOT NULL,
    revoked_at BIGINT      NOT NULL
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
