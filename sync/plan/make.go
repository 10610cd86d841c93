package plan

// Make draws the plan.
func Make(in Input) Plan { return Plan{Now: in.Now} }

// Judge splits a plan into what may go and what is held.
func Judge(p Plan, b Book) Verdict { return Verdict{NextFreeHold: b.FirstFreeHold} }
