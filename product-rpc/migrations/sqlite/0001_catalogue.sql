CREATE TABLE categories (
    id       VARCHAR(64)  NOT NULL PRIMARY KEY,
    name     VARCHAR(100) NOT NULL,
    position INT          NOT NULL
);

-- on_hand and reserved change with every order; version counts the edits of everything else.
CREATE TABLE products (
    id          VARCHAR(64)  NOT NULL PRIMARY KEY,
    name        VARCHAR(200) NOT NULL,
    description TEXT         NOT NULL,
    category_id VARCHAR(64)  NOT NULL REFERENCES categories (id),
    price       BIGINT       NOT NULL,
    currency    VARCHAR(3)   NOT NULL,
    image_url   VARCHAR(500) NOT NULL,
    on_hand     BIGINT       NOT NULL CHECK (on_hand >= reserved),
    reserved    BIGINT       NOT NULL CHECK (reserved >= 0),
    version     BIGINT       NOT NULL,
    created_at  BIGINT       NOT NULL
);
CREATE INDEX products_category ON products (category_id);
CREATE INDEX products_name ON products (name, id);
CREATE INDEX products_price ON products (price, id);
CREATE INDEX products_newest ON products (created_at, id);

-- Every change of on_hand, so that an audit can add it up again. `cause` is an order's id or an adjustment's.
CREATE TABLE stock_moves (
    id         VARCHAR(36)  NOT NULL PRIMARY KEY,
    product_id VARCHAR(64)  NOT NULL REFERENCES products (id),
    delta      BIGINT       NOT NULL,
    reason     VARCHAR(200) NOT NULL,
    cause      VARCHAR(100) NOT NULL,
    created_at BIGINT       NOT NULL
);
CREATE INDEX stock_moves_product ON stock_moves (product_id);

-- held → pinned → taken; held → expired; held or pinned → released; taken → returned.
CREATE TABLE reservations (
    order_id   VARCHAR(36) NOT NULL PRIMARY KEY,
    status     VARCHAR(20) NOT NULL,
    expires_at BIGINT      NOT NULL,
    created_at BIGINT      NOT NULL
);
CREATE INDEX reservations_expiry ON reservations (status, expires_at);

CREATE TABLE reservation_lines (
    order_id   VARCHAR(36) NOT NULL REFERENCES reservations (order_id),
    product_id VARCHAR(64) NOT NULL REFERENCES products (id),
    quantity   INT         NOT NULL,
    PRIMARY KEY (order_id, product_id)
);
