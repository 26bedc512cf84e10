#!/usr/bin/env python3
"""Goldens of variants of networks that published configurations have and the common set has not, for `ito parity`.

    python networks.py MAKE_FIXTURES OUT

MAKE_FIXTURES is the script that made the common goldens (`make_fixtures.py`): its way of filling weights and of
writing folders is used here. torch 2.13, diffusers 0.42.1, transformers 5.23.
"""
import runpy, sys

make = runpy.run_path(sys.argv[1], run_name="make_fixtures")
refill, rnd, run, write, conf = (make[k] for k in ("refill", "rnd", "run", "write", "conf"))
import json, torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet2DModel
from transformers import CLIPTextConfig, CLIPTextModel

torch.set_grad_enabled(False)
root = sys.argv[2]; h, w = 8, 12
base = dict(sample_size=8, block_out_channels=(16,32), layers_per_block=1, down_block_types=("CrossAttnDownBlock2D","DownBlock2D"), up_block_types=("UpBlock2D","CrossAttnUpBlock2D"), cross_attention_dim=20, attention_head_dim=4, norm_num_groups=8)
def inp(**k): return dict(sample=rnd((2,4,h,w),1), timestep=torch.tensor([17,803]), encoder_hidden_states=rnd((2,7,20),2), **k)
C={
 "class_timestep": (dict(class_embed_type="timestep"), dict(class_labels=torch.tensor([3,250]))),
 "class_projection": (dict(class_embed_type="projection", projection_class_embeddings_input_dim=12), dict(class_labels=rnd((2,12),3))),
 "class_simple": (dict(class_embed_type="simple_projection", projection_class_embeddings_input_dim=12), dict(class_labels=rnd((2,12),3))),
 "class_identity": (dict(class_embed_type="identity"), dict(class_labels=rnd((2,64),3))),
 "class_table_concat": (dict(num_class_embeds=9, class_embeddings_concat=True), dict(class_labels=torch.tensor([3,8]))),
 "prompt_only": (dict(only_cross_attention=(True,False)), {}),
 "prompt_only_all": (dict(only_cross_attention=True, down_block_types=("CrossAttnDownBlock2D",)*2, up_block_types=("CrossAttnUpBlock2D",)*2), {}),
 "mid_none": (dict(mid_block_type=None), {}),
 "mid_plain": (dict(mid_block_type="UNetMidBlock2D", mid_block_scale_factor=1.5), {}),
 "mid_scale": (dict(mid_block_scale_factor=1.4), {}),
 "asymmetric": (dict(block_out_channels=(16,32,32), layers_per_block=2, down_block_types=("DownBlock2D","CrossAttnDownBlock2D","CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D","CrossAttnUpBlock2D","UpBlock2D"), transformer_layers_per_block=[0,[2,1],[1,3]], reverse_transformer_layers_per_block=[[3,1,1],[2,1,1],0], mid_block_type="UNetMidBlock2D"), {}),
 "per_level": (dict(layers_per_block=(1,2), cross_attention_dim=(20,20), attention_head_dim=(2,8), down_block_types=("CrossAttnDownBlock2D",)*2, up_block_types=("CrossAttnUpBlock2D",)*2, transformer_layers_per_block=(2,1)), {}),
 "resnet_updown": (dict(block_out_channels=(16,32,32), down_block_types=("ResnetDownsampleBlock2D","CrossAttnDownBlock2D","DownBlock2D"), up_block_types=("UpBlock2D","CrossAttnUpBlock2D","ResnetUpsampleBlock2D"), resnet_time_scale_shift="scale_shift", resnet_out_scale_factor=1.3), {}),
 "kernels_pad": (dict(conv_in_kernel=1, conv_out_kernel=5, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1, center_input_sample=True, norm_eps=1e-3, time_embedding_dim=48), {}),
 "sdxl_refiner": (dict(addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=5*8+16, use_linear_projection=True), dict(added_cond_kwargs={"text_embeds": rnd((2,16),7), "time_ids": torch.tensor([[512.,512,0,0,6.],[640,384,16,8,2.5]])})),
 "inpaint9": (dict(in_channels=9), {}),
}
for i,(n,(kw,extra)) in enumerate(C.items()):
    k={**base,**kw}; d=inp(**extra)
    if "in_channels" in kw: d["sample"]=rnd((2,kw["in_channels"],h,w),1)
    run(root,n,UNet2DConditionModel,k,d,300+i)
b=dict(sample_size=16,in_channels=3,out_channels=3,layers_per_block=1,block_out_channels=(16,32,32),norm_num_groups=8,attention_head_dim=8)
D={
 "cm_like": dict(down_block_types=("ResnetDownsampleBlock2D","AttnDownBlock2D","AttnDownBlock2D"),up_block_types=("AttnUpBlock2D","AttnUpBlock2D","ResnetUpsampleBlock2D"),resnet_time_scale_shift="scale_shift",downsample_type="resnet",upsample_type="resnet",attn_norm_num_groups=8,num_class_embeds=7),
 "ddpm_like": dict(down_block_types=("DownBlock2D","AttnDownBlock2D","DownBlock2D"),up_block_types=("UpBlock2D","AttnUpBlock2D","UpBlock2D"),downsample_padding=0,flip_sin_to_cos=False,freq_shift=1,attention_head_dim=None,norm_eps=1e-6,mid_block_scale_factor=1),
}
for i,(n,kw) in enumerate(D.items()):
    d=dict(sample=rnd((2,3,16,16),12),timestep=torch.tensor([1,640]))
    if "num_class_embeds" in kw: d["class_labels"]=torch.tensor([3,5])
    run(root,n,UNet2DModel,{**b,**kw},d,400+i)
# autoencoder variants
def ae(name,kw,x,z,seed):
    m=refill(AutoencoderKL(**kw),seed)
    write(root,name,m,conf(AutoencoderKL,{k:v for k,v in m.config.items() if not k.startswith("_")}),{"x":x,"z":z},{"latent":m.encode(x).latent_dist.mean,"decoded":m.decode(z)[0]})
ae("vae_four_levels",dict(in_channels=3,out_channels=3,down_block_types=("DownEncoderBlock2D",)*4,up_block_types=("UpDecoderBlock2D",)*4,block_out_channels=(8,16,16,32),layers_per_block=2,norm_num_groups=4,latent_channels=4),rnd((2,3,40,56),1),rnd((2,4,5,7),2),501)
ae("vae_no_mid_attention",dict(in_channels=1,out_channels=1,down_block_types=("DownEncoderBlock2D",)*2,up_block_types=("UpDecoderBlock2D",)*2,block_out_channels=(8,16),layers_per_block=1,norm_num_groups=4,latent_channels=2,mid_block_add_attention=False),rnd((1,1,22,18),1),rnd((1,2,11,9),2),502)
cfg=CLIPTextConfig(vocab_size=60,hidden_size=32,intermediate_size=64,num_hidden_layers=3,num_attention_heads=4,max_position_embeddings=10,eos_token_id=2)
m=refill(CLIPTextModel(cfg),503); ids=torch.tensor([[58,3,9,59,59,59,59,59],[58,7,8,9,10,11,12,59]])
o=m(ids,output_hidden_states=True)
write(root,"clip_eos2",m,{"_class_name":"CLIPTextModel",**json.loads(cfg.to_json_string(use_diff=False))},{"input_ids":ids},{"last_hidden_state":o.last_hidden_state,"pooler_output":o.pooler_output,"penultimate":o.hidden_states[-2]})
