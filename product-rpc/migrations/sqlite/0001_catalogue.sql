CREATE TABLE categories (
    id       VARCHAR(64)  NOT NULL PRIMARY KEY,
    name     VARCHAR(100) NOT NULL,
    position INT          NOT NULL
);

-- on_hand and reserved change with every order; version counts the edits of everything else.
CREATE TABLE products (
    id          VARCHAR(64)  NOT NULL PRIMARY KEY,
    name        VARCHAR(200) NOT NULL COLLATE NOCASE,
    description TEXT         NOT NULL,
    category_id VARCHAR(64)  NOT NULL,
    price       BIGINT       NOT NULL,
    currency    VARCHAR(3)   NOT NULL,
    image_url   VARCHAR(500) NOT NULL,
    on_hand     BIGINT       NOT NULL,
    reserved    BIGINT       NOT NULL,
    version     BIGINT       NOT NULL,
    created_at  BIGINT       NOT NULL,
    FOREIGN KEY (category_id) REFERENCES categories (id),
    CHECK (price >= 0),
    CHECK (reserved >= 0),
    CHECK (on_hand >= reserved)
);
CREATE INDEX products_category ON products (category_id);
CREATE INDEX products_name ON products (name, id);
CREATE INDEX products_price ON products (price, id);
CREATE INDEX products_newest ON products (created_at, id);

-- Every change of on_hand, so that an audit can add it up again. `cause` is an order's id or an adjustment's; it moves a
-- product out once and back once.
CREATE TABLE stock_moves (
    id         VARCHAR(36)  NOT NULL PRIMARY KEY,
    product_id VARCHAR(64)  NOT NULL,
    delta      BIGINT       NOT NULL,
    reason     VARCHAR(200) NOT NULL,
    cause      VARCHAR(100) NOT NULL,
    created_at BIGINT       NOT NULL,
    FOREIGN KEY (product_id) REFERENCES products (id),
    UNIQUE (product_id, cause, delta)
);

-- held → pinned → taken → returned; held → expired → held or pinned; all before taken → released. A reservation that was
-- given up before it was made is released as well, and has no lines.
CREATE TABLE reservations (
    order_id   VARCHAR(36) NOT NULL PRIMARY KEY,
    status     VARCHAR(20) NOT NULL,
    expires_at BIGINT      NOT NULL,
    created_at BIGINT      NOT NULL
);
CREATE INDEX reservations_expiry ON reservations (status, expires_at);

-- `position` is the line's index in the request, by which refusals name it.
CREATE TABLE reservation_lines (
    order_id   VARCHAR(36) NOT NULL,
    product_id VARCHAR(64) NOT NULL,
    quantity   INT         NOT NULL,
    position   INT         NOT NULL,
    PRIMARY KEY (order_id, product_id),
    FOREIGN KEY (order_id) REFERENCES reservations (order_id),
    FOREIGN KEY (product_id) REFERENCES products (id),
    CHECK (quantity > 0)
);
