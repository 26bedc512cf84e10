#!/usr/bin/env python3
"""Trajectories of diffusers' schedulers with settings that the fixtures' own list does not have.

    python schedulers.py ../shared/reference/make_fixtures.py OUT_DIR [--seed N]

Folders are those of the fixtures' script, which is imported for the closed-form network and the format;
`ito parity OUT_DIR/schedulers/*` compares them. The seed changes the noise and the number of steps.
"""
import argparse
import importlib.util
import os

VP = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
THRESHOLD = dict(VP, thresholding=True, sample_max_value=1.5, dynamic_thresholding_ratio=0.9)

CASES = [
    ("threshold_DDIM", "DDIMScheduler", dict(THRESHOLD), 9),
    ("threshold_DDPM", "DDPMScheduler", dict(THRESHOLD), 9),
    ("threshold_DPMpp_2M", "DPMSolverMultistepScheduler", dict(THRESHOLD), 9),
    ("threshold_DPMpp_2M_default", "DPMSolverMultistepScheduler", dict(VP, thresholding=True), 9),
    ("threshold_DPM_2M_eps", "DPMSolverMultistepScheduler",
     dict(THRESHOLD, algorithm_type="dpmsolver", final_sigmas_type="sigma_min"), 9),
    ("threshold_SDE", "DPMSolverMultistepScheduler", dict(THRESHOLD, algorithm_type="sde-dpmsolver++"), 9),
    ("threshold_DPMpp_2S", "DPMSolverSinglestepScheduler", dict(THRESHOLD), 9),
    ("threshold_UniPC", "UniPCMultistepScheduler", dict(THRESHOLD), 9),
    ("threshold_UniPC_eps", "UniPCMultistepScheduler",
     dict(THRESHOLD, predict_x0=False, final_sigmas_type="sigma_min"), 9),
    ("threshold_DEIS", "DEISMultistepScheduler", dict(THRESHOLD), 9),
    ("threshold_SASolver", "SASolverScheduler", dict(THRESHOLD), 9),
    ("threshold_EDM_DPMpp_2M", "EDMDPMSolverMultistepScheduler",
     dict(thresholding=True, sample_max_value=1.5, dynamic_thresholding_ratio=0.9), 9),
    ("threshold_TCD", "TCDScheduler", dict(THRESHOLD), 4),
    ("UniPC_flow_karras", "UniPCMultistepScheduler",
     dict(prediction_type="flow_prediction", use_flow_sigmas=True, use_karras_sigmas=True), 9),
    ("SCM_3", "SCMScheduler", dict(), 3),
    ("SCM_4_half", "SCMScheduler", dict(sigma_data=1.0), 4),
    ("DPM_2M_eps_15", "DPMSolverMultistepScheduler",
     dict(VP, algorithm_type="dpmsolver", solver_order=3, final_sigmas_type="sigma_min"), 17),
    ("DPM_3S_eps", "DPMSolverSinglestepScheduler",
     dict(VP, algorithm_type="dpmsolver", solver_order=3, final_sigmas_type="sigma_min"), 13),
    ("PNDM_full", "PNDMScheduler", dict(VP), 11),
    ("IPNDM_7", "IPNDMScheduler", dict(), 7),
    ("LMS_karras", "LMSDiscreteScheduler", dict(VP, use_karras_sigmas=True), 11),
    ("DEIS_3", "DEISMultistepScheduler", dict(VP, solver_order=3), 19),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fixtures", help="the fixtures' script, make_fixtures.py")
    parser.add_argument("output", help="the folder to write")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    spec = importlib.util.spec_from_file_location("make_fixtures", options.fixtures)
    fixtures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fixtures)
    fixtures.SCHED[:] = CASES
    fixtures.V["seed"] = options.seed
    os.makedirs(options.output, exist_ok=True)
    fixtures.schedulers(options.output)


if __name__ == "__main__":
    main()
