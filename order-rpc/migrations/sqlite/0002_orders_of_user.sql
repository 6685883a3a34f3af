-- For the orders of a user in one state: without it a database reads those of all users in that state.
CREATE INDEX orders_user_status ON orders (user_id, status, id);
