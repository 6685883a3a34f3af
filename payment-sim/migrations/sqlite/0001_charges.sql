-- What a charge is, or will be as soon as `decided_at` has come: until then it is pending. No card number and no cvc.
-- A key that was voided before it was charged has a row of its own, with nothing in it.
CREATE TABLE charges (
    id           VARCHAR(36)  NOT NULL PRIMARY KEY,
    charge_key   VARCHAR(255) NOT NULL UNIQUE,
    status       VARCHAR(20)  NOT NULL CHECK (status IN ('succeeded', 'declined', 'voided', 'refunded')),
    decline_code VARCHAR(40),
    amount       BIGINT       NOT NULL,
    currency     VARCHAR(3)   NOT NULL,
    card_brand   VARCHAR(20)  NOT NULL,
    card_last4   VARCHAR(4)   NOT NULL,
    exp_month    INT          NOT NULL,
    exp_year     INT          NOT NULL,
    reference    VARCHAR(200) NOT NULL,
    created_at   BIGINT       NOT NULL,
    decided_at   BIGINT       NOT NULL
);
