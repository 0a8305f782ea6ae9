module "guestbook" {
  description = "A guest book: a small web application that keeps its entries in PostgreSQL and counts visits in redis"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether the guest book is served."
}

option "title" {
  type        = nonempty(string)
  default     = "Guest book"
  description = "What stands above the entries."
}

option "site" {
  type        = nonempty(string)
  default     = "localhost"
  description = "The name of nginx's site that the guest book is served on."
}

option "user" {
  type        = nonempty(string)
  default     = "www-data"
  description = "The user that the application and the backup run as."
}

option "backup" {
  type        = calendar
  default     = "daily"
  description = "When the database is backed up to guestbook-backup in the state directory."
}

option "backups" {
  type        = range(number, 1, 1000)
  default     = 14
  description = "How many backups are kept."
}
