-- seq counts the moves of an order, so it is the version of a guarded update as well.
CREATE TABLE orders (
    id          VARCHAR(36)  NOT NULL PRIMARY KEY,
    user_id     VARCHAR(36)  NOT NULL,
    status      VARCHAR(20)  NOT NULL,
    seq         BIGINT       NOT NULL,
    amount      BIGINT       NOT NULL CHECK (amount >= 0),
    currency    VARCHAR(3)   NOT NULL,
    name        VARCHAR(100) NOT NULL,
    line1       VARCHAR(200) NOT NULL,
    line2       VARCHAR(200),
    city        VARCHAR(100) NOT NULL,
    postal_code VARCHAR(20)  NOT NULL,
    country     VARCHAR(2)   NOT NULL,
    created_at  BIGINT       NOT NULL,
    expires_at  BIGINT       NOT NULL
);
CREATE INDEX orders_user ON orders (user_id, id);
CREATE INDEX orders_status ON orders (status, id);
CREATE INDEX orders_expiry ON orders (status, expires_at);

-- Prices and names are those of the time of ordering.
CREATE TABLE order_lines (
    order_id   VARCHAR(36)  NOT NULL REFERENCES orders (id),
    position   INT          NOT NULL,
    product_id VARCHAR(64)  NOT NULL,
    name       VARCHAR(200) NOT NULL,
    quantity   INT          NOT NULL CHECK (quantity > 0),
    unit_price BIGINT       NOT NULL CHECK (unit_price >= 0),
    PRIMARY KEY (order_id, position)
);

-- The history: one row for each move, from seq 1 without gaps. from_status is empty for the first.
CREATE TABLE order_moves (
    order_id    VARCHAR(36)  NOT NULL REFERENCES orders (id),
    seq         BIGINT       NOT NULL,
    from_status VARCHAR(20)  NOT NULL,
    to_status   VARCHAR(20)  NOT NULL,
    reason      VARCHAR(200) NOT NULL,
    actor       VARCHAR(36)  NOT NULL,
    at          BIGINT       NOT NULL,
    PRIMARY KEY (order_id, seq)
);

-- An attempt to pay. Its id is the idempotency key at the provider, and it is written before the provider is called:
-- pending → succeeded | declined | void; succeeded → refund_pending → refunded. No card number is kept.
CREATE TABLE payments (
    id           VARCHAR(36) NOT NULL PRIMARY KEY,
    order_id     VARCHAR(36) NOT NULL REFERENCES orders (id),
    status       VARCHAR(20) NOT NULL,
    amount       BIGINT      NOT NULL,
    currency     VARCHAR(3)  NOT NULL,
    card_brand   VARCHAR(20) NOT NULL,
    card_last4   VARCHAR(4)  NOT NULL,
    decline_code VARCHAR(50) NOT NULL,
    created_at   BIGINT      NOT NULL,
    paid_at      BIGINT      NOT NULL,
    -- When the provider is asked next what became of it, and by whom until when.
    check_at     BIGINT      NOT NULL,
    checks       INT         NOT NULL,
    owner        VARCHAR(36) NOT NULL,
    claimed_until BIGINT     NOT NULL
);
CREATE INDEX payments_order ON payments (order_id, created_at);
CREATE INDEX payments_check ON payments (status, check_at);
