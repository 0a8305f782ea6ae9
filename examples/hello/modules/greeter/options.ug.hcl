module "greeter" {
  description = "Answers whoever connects, and keeps a few workers busy"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = true
  description = "Whether the greeter runs at all."
}

option "greeting" {
  type        = nonempty(string)
  default     = "Hello"
  example     = "Good morning"
  description = "What a visitor is greeted with."
}

option "port" {
  type        = nullable(port)
  default     = null
  example     = 8080
  description = "TCP port on loopback to listen on besides the socket in the runtime directory."
}

option "almanac_every" {
  type        = duration
  default     = "10s"
  description = "How often the almanac is written anew."
}

option "workers" {
  type        = set(match("^[a-z]+$"))
  default     = []
  description = "Names of the workers; one instance of the template for each."
}
