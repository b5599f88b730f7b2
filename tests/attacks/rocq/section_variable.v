(* Opens a section, and takes what it needs as a hypothesis of it. *)
(* statement: False *)
(* never: proved *)
Section s. Hypothesis magic : False. exact magic.
